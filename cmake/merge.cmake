# Adds the objects of the archive ADD to the archive LIBRARY. (llvm-ar knows no OPEN.)
file(WRITE ${LIBRARY}.mri
     "CREATE ${LIBRARY}.merged\nADDLIB ${LIBRARY}\nADDLIB ${ADD}\nSAVE\nEND\n")
execute_process(COMMAND ${AR} -M INPUT_FILE ${LIBRARY}.mri RESULT_VARIABLE result)
file(REMOVE ${LIBRARY}.mri)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "cannot add ${ADD} to ${LIBRARY}")
endif()
file(RENAME ${LIBRARY}.merged ${LIBRARY})
